// An OpenID provider on a loopback port. It prints its issuer.
//
// The argument is a JSON object of origins: the application at each of them is a client, told of logouts if the value is true.
// Two headers of the browser take the place of a login form: `X-Account` names the user ("nobody" refuses the consent), and
// `X-Grant` the scopes to which the user consents (all that were asked for if there is none). The access tokens of users whose
// name begins with "brief" live for 30 seconds; for those of "brief-once" there is no refresh token. `/ledger` tells how many
// refresh tokens of each user were used; after `/userinfo-fails` the next request for user information fails.
//
// oidc-provider 9 needs Node 22, so this is version 8: Debian has Node 20.

import { createServer } from "node:http";

import { Provider } from "oidc-provider";

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const refreshes = {};
let fails = false;

const clients = Object.entries(JSON.parse(process.argv[2])).map(([origin, told]) => ({
  client_id: `app-${new URL(origin).port}`,
  client_secret: "a-secret-of-the-tests-0123456789abcdef",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: [`${origin}/auth/callback`],
  post_logout_redirect_uris: [`${origin}/`],
  ...(told && {
    backchannel_logout_uri: `${origin}/auth/backchannel-logout`,
    backchannel_logout_session_required: true,
  }),
}));

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
  conformIdTokenClaims: false, // the ID token has the claims of the scopes, as those of most providers do
  cookies: { keys: ["a key of the tests"] },
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Name of ${id}`, email: `${id}@example.org` }),
  }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_ctx, _client, { accountId }) => !accountId.startsWith("brief-once"),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: (_ctx, token) => (token.accountId.startsWith("brief") ? 30 : 3600), Session: 3600, Grant: 3600, Interaction: 600 },
});
provider.on("grant.success", ({ oidc }) => {
  if (oidc.params.grant_type !== "refresh_token") return;
  const { accountId } = oidc.entities.RefreshToken;
  refreshes[accountId] = (refreshes[accountId] ?? 0) + 1;
});

async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const account = request.headers["x-account"];
  if (account === "nobody") {
    await provider.interactionFinished(request, response, { error: "access_denied", error_description: "<b>no</b>" });
  } else if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId: account } });
  } else {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    const scope = request.headers["x-grant"] ?? params.scope;
    grant.addOIDCScope(scope);
    grant.rejectOIDCScope(params.scope.split(" ").filter((one) => !scope.split(" ").includes(one)).join(" "));
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }
}

const serve = provider.callback();
server.on("request", (request, response) => {
  if (request.url === "/ledger") response.end(JSON.stringify(refreshes));
  else if (request.url === "/userinfo-fails") {
    fails = true;
    response.end();
  } else if (request.url === "/me" && fails) {
    fails = false;
    response.statusCode = 503;
    response.end();
  } else if (request.url.startsWith("/interaction/")) {
    interact(request, response).catch((error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  } else serve(request, response);
});
console.log(issuer);
process.stdin.on("end", () => process.exit()).resume(); // the tests have ended, in whatever way
