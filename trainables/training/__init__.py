"""How a stack of networks is trained, evaluated and stopped."""
