//! The media engine: threads, ports, sessions that play, record, relay and bridge; the recording spool.
