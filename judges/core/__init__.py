"""What judges share: types, registry, errors, effects, dependence, evidence over looks."""
