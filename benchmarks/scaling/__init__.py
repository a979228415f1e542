"""What a step costs in many processes: measured here, explained by a model, and simulated for more processes than there are."""
