//! The unified messaging server: call router, service, worker, dialogues, message waiting, commands.
