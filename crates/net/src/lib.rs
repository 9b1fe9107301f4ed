//! SIP over sockets: UDP and TCP, DNS look-ups, the inbox and the loop that drives a role.
