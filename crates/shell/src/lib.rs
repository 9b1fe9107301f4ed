//! The two command shells: MML and unix-style lines for the node, PowerShell's syntax for the UM server.
