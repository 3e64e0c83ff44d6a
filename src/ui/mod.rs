//! What a person sees: lines, bars, questions, disk pictures. Only `cli` uses it.
