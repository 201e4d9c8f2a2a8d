"""Where everything comes from, what that allows, and how clips carry it with them."""
