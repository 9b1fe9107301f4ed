//! RTP, telephone events, G.711, jitter buffer and tones, without sockets.
