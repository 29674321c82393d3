"""Small transformers trained from scratch: the runs of the chapter "A law measured here"."""
