"""What do the recorded numbers say? Frames in; numbers, sentences, pictures and pages out."""
