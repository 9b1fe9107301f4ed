//! Prompts and text to speech: the catalogue, shipped audio, back ends.
