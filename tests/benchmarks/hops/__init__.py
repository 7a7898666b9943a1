"""`make hops`: what a reader has to open to follow one request, one file or one training run."""
