//! Session descriptions: audio offer and answer (RFC 3264).
