//! The service node: number analysis, registrar, routes, call control, diversion, message waiting, commands.
