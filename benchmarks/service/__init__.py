"""Load on the service: many AnalysisRuns, a real Prometheus, answers, memory and CPU.

`rollouts` makes what is judged, `callers` polls as Argo does, `usage` watches processes, `load`
puts them together: `make load` writes docs/reference/load.md. Run as a module, the folder measures
what one call takes beyond its queries, against a source that answers at once.
"""
