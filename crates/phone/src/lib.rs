//! A SIP phone for the command line, the tests and the acceptance suite.
