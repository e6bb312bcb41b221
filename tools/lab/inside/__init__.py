"""What runs inside a lab's namespaces: the keeper that ends it, the init of each machine, the agents that act as guests."""
