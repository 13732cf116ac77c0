"""Pictures, one file each: a function makes the tidy frame, `draw(frame, ax, ...)` only draws it."""
