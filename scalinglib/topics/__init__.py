"""One room per chapter: mathematics that this chapter needs and no other."""
