"""Pictures of one feature in two samples of rows, before and after."""
