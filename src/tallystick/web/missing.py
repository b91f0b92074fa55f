"""What is shown where no dashboard was built: what is missing, and that everything else works."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tallystick: no dashboard here yet</title>
<h1>The API is running; the dashboard is not built</h1>
<p>This installation has no files in <code>tallystick/web/assets</code>. In a clone of the project,
<code>make web</code> builds them (it needs Node 20 or newer, or a network to get it from PyPI); then start the
server again. A wheel that was built after that has them.</p>
<p>Everything else works: the <a href="/docs">API and its documentation</a>, and the command
<code>tallystick</code>.</p>
</html>
"""
