//! Typed events: one enum variant a happening; log, metric, call record, audit and page are fed from them.
