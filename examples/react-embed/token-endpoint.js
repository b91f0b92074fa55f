/**
 * Your backend's part, here inside of Vite's server: it knows who is logged in, and gets a token for their team alone.
 * The admin key stays on the server.
 */
const URL_OF_TALLYSTICK = process.env.TALLYSTICK_URL ?? "http://127.0.0.1:8080";

export function tokenEndpoint() {
  return {
    name: "token-endpoint",
    configureServer(server) {
      server.middlewares.use("/usage-token", async (_request, response) => {
        const teamOfWhoIsLoggedIn = process.env.TEAM ?? "acme";
        const answer = await fetch(`${URL_OF_TALLYSTICK}/api/portal/tokens`, {
          method: "POST",
          headers: { Authorization: `Bearer ${process.env.TALLYSTICK_KEY}`, "Content-Type": "application/json" },
          body: JSON.stringify({ team_id: teamOfWhoIsLoggedIn, scopes: ["read"], expires_in: 900 }),
        });
        response.statusCode = answer.status;
        response.setHeader("Content-Type", "application/json");
        response.end(await answer.text());
      });
    },
  };
}
