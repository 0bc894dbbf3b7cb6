'use strict';

// An identity provider around the npm package "samlp", for tests: a login form, users and service
// providers from the settings file (read anew at each request, so that tests can change them).

const fs = require('node:fs');
const http = require('node:http');
const samlp = require('samlp');

const settingsFile = process.env.SALLYPORT_IDP_SETTINGS;
const readSettings = () => JSON.parse(fs.readFileSync(settingsFile, 'utf8'));

const escapeHtml = (text) =>
  String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const pem = (base64) =>
  `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`;

/** Our users as samlp sees them: attributes under their own names. */
function profileMapper(settings) {
  function mapper(user) {
    return {
      getClaims: () => user.attributes,
      getNameIdentifier: () => ({
        nameIdentifier: user.attributes[settings.name_id_attribute][0],
        nameIdentifierFormat: settings.name_id_format,
      }),
    };
  }
  mapper.prototype.metadata = [];
  return mapper;
}

function readBody(request) {
  return new Promise((resolve, reject) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => resolve(Object.fromEntries(new URLSearchParams(body))));
    request.on('error', reject);
  });
}

/** The few Express calls that samlp makes. */
function expressLike(response) {
  response.set = (name, value) => response.setHeader(name, value);
  response.send = (first, second) => {
    if (typeof first === 'number') {
      response.statusCode = first;
    }
    response.end(String(second ?? first));
  };
  return response;
}

function fail(response, status, message) {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${message}\n`);
}

/** The login form carries the SAML request along, as it came. */
function showLogin(response, binding, parameters, message = '') {
  const hidden = Object.entries({ ...parameters, binding })
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('\n');
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(`<!DOCTYPE html>
<html lang="en"><head><title>Log in</title></head><body>
<p>${escapeHtml(message)}</p>
<form method="post" action="/login">
${hidden}
<label>User <input name="username"></label>
<label>Password <input name="password" type="password"></label>
<button type="submit">Log in</button>
</form></body></html>
`);
}

function answer(settings, parameters, binding, user, request, response) {
  samlp.parseRequest({ query: parameters, body: {} }, {}, (error, parsed) => {
    const provider = parsed && settings.service_providers[parsed.issuer];
    if (error || !provider) {
      return fail(response, 403, `unknown service provider: ${error || (parsed && parsed.issuer)}`);
    }
    if (parsed.assertionConsumerServiceURL && parsed.assertionConsumerServiceURL !== provider.acs_url) {
      return fail(response, 403, `unknown ACS: ${parsed.assertionConsumerServiceURL}`);
    }
    const options = {
      issuer: settings.entity_id,
      cert: fs.readFileSync(settings.certificate_file),
      key: fs.readFileSync(settings.key_file),
      getPostURL: (_audience, _document, _request, done) => done(null, provider.acs_url),
      getUserFromRequest: () => user,
      profileMapper: profileMapper(settings),
      destination: provider.acs_url,
      recipient: provider.acs_url,
      signResponse: provider.sign_response,
      signAssertion: provider.sign_assertion,
      lifetimeInSeconds: 300,
      ...settings.samlp_options,
    };
    if (provider.validate_requests) {
      options.signingCert = pem(provider.certificate);
    }
    if (provider.encrypt_assertion) {
      options.encryptionCert = pem(provider.certificate);
      options.encryptionPublicKey = require('node:crypto')
        .createPublicKey(options.encryptionCert)
        .export({ type: 'spki', format: 'pem' });
    }
    const redirected = binding === 'redirect';
    request.method = redirected ? 'GET' : 'POST';
    request.query = redirected ? parameters : {};
    request.body = redirected ? {} : parameters;
    samlp.auth(options)(request, expressLike(response), (problem) => fail(response, 400, problem));
  });
}

async function handle(request, response) {
  const settings = readSettings();
  const url = new URL(request.url, settings.base_url);
  if (url.pathname === '/metadata') {
    request.protocol = url.protocol.replace(':', '');
    request.originalUrl = request.url;
    request.headers.host = url.host;
    const paths = { redirectEndpointPath: '/sso', postEndpointPath: '/sso', logoutEndpointPaths: {} };
    const options = { issuer: settings.entity_id, cert: fs.readFileSync(settings.certificate_file), ...paths };
    options.profileMapper = profileMapper(settings);
    return samlp.metadata(options)(request, expressLike(response));
  }
  if (url.pathname === '/sso' && request.method === 'GET') {
    return showLogin(response, 'redirect', Object.fromEntries(url.searchParams));
  }
  if (url.pathname === '/sso' && request.method === 'POST') {
    return showLogin(response, 'post', await readBody(request));
  }
  if (url.pathname === '/login' && request.method === 'POST') {
    const { username, password, binding, ...parameters } = await readBody(request);
    const user = Object.hasOwn(settings.users, username) ? settings.users[username] : null;
    if (!user || user.password !== password) {
      return showLogin(response, binding, parameters, 'Wrong user or password.');
    }
    return answer(settings, parameters, binding, user, request, response);
  }
  return fail(response, 404, 'not found');
}

http
  .createServer((request, response) => handle(request, response).catch((error) => fail(response, 500, error)))
  .listen(Number(process.argv[2]), '127.0.0.1');
