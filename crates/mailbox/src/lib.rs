//! Messages, folders, read state, greetings, and the store that keeps them; the change feed.
