"""Three ways to train the networks of one study; the two plain ones are written as their documentation leads to."""
