//! How the node and the UM server keep configuration and lasting state: grouped durable commits, the key file.
