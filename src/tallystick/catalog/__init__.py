"""The catalogue: one YAML file that says what is counted, what it costs and who is on which plan.

catalogue = loading.load(Path("tallystick.yaml"))           # all of it is right, or CatalogueError
plan = await service.plan_changes(db, catalogue, clock)     # what would change: render.render_plan(plan)
await service.apply(db, catalogue, clock)                   # in one transaction
"""
