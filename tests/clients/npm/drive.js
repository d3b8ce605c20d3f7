// Drives a node with M3O's JavaScript clients, unmodified, and prints what their users see as one JSON object.
// node drive.js ADDRESS [TOKEN]; tests/tests/npm_clients.rs decides whether it is right.
//
// No listener for uncaught exceptions, on purpose: what these clients let slip ends this process, as it would a user's.
'use strict';

const m3o = require('@m3o/m3o-node');
const [address, token] = process.argv.slice(2);

/** What `@m3o/m3o-node` offers: any endpoint by its names, the address as an option. */
function byNames(token) {
  const client = new m3o.Client({ token, address });
  return {
    call: (service, endpoint, request) => client.call(service, endpoint, request),
    stream: (service, endpoint, request) => client.stream(service, endpoint, request),
  };
}

/** What `m3o` offers: an object a service, a method an endpoint. */
function byServices(token) {
  const services = require('m3o').default(token);
  const method = (service, endpoint) => {
    services[service].client.options.address = address;
    return services[service][endpoint[0].toLowerCase() + endpoint.slice(1)];
  };
  const run = (service, endpoint, request) => method(service, endpoint).call(services[service], request);
  return { call: run, stream: run };
}

/** The reply, or what the promise was rejected with. */
const outcome = promise => promise.then(reply => ({ reply }), error => ({ error: plain(error) }));

/** An error of the client's own (no connection) has no fields of ours: its text shows in a failed test. */
const plain = error => (error instanceof Error ? { threw: String(error) } : error);

/** All items until the node closes, each as the user's callback gets it. */
async function whole(opening) {
  const stream = await opening;
  const items = [];
  stream.recv(item => items.push(item));
  const code = await closed(stream);
  return { items, code };
}

/** The first item, then the user goes. */
async function left(opening) {
  const stream = await opening;
  const first = await new Promise(resolve => stream.onMessage(resolve));
  const closing = closed(stream);
  stream.conn.close(1000);
  return { first, code: await closing };
}

const closed = stream => new Promise(resolve => stream.conn.on('close', resolve));

async function drive(of, name) {
  const seen = {};
  const client = of(token);
  const call = async (step, service, endpoint, request) => {
    seen[step] = await outcome(client.call(service, endpoint, request));
    return seen[step].reply;
  };

  await call('hello', 'helloworld', 'Call', { name: 'Jörg ✓' });
  await call('nothing given', 'helloworld', 'Call');
  seen['stream'] = await whole(client.stream('helloworld', 'Stream', { name: 'Ada', messages: 3 }));
  seen['stream left early'] = await left(client.stream('helloworld', 'Stream', { name: 'Bo', messages: 10000, interval_ms: 20 }));
  seen['stream refused'] = await whole(client.stream('helloworld', 'Stream', { messages: -1 }));
  const strangers = of('cmn_nobody');
  seen['stream, bad key'] = await whole(strangers.stream('helloworld', 'Stream', { messages: 2 }));
  seen['call, bad key'] = await outcome(strangers.call('helloworld', 'Call', {}));
  await call('still there', 'helloworld', 'Call', { name: 'again' });

  const key = `${name}: größer/als ?&`;
  await call('cache set', 'cache', 'Set', { key, value: 'a\n"b" ✓', ttl: 3600 });
  await call('cache get', 'cache', 'Get', { key });
  await call('cache increment', 'cache', 'Increment', { key: `${name} n`, value: 9007199254740992 });
  await call('cache increment text', 'cache', 'Increment', { key: `${name} n`, value: '5' });
  await call('cache decrement', 'cache', 'Decrement', { key: `${name} n`, value: 1 });
  await call('cache increment a word', 'cache', 'Increment', { key, value: 1 });
  await call('cache keys', 'cache', 'ListKeys', {});
  await call('cache delete', 'cache', 'Delete', { key });
  await call('cache get deleted', 'cache', 'Get', { key });
  await call('cache no key', 'cache', 'Get', {});

  const id = `${name} purse`;
  await call('wallet create', 'wallet', 'Create', { id, name: 'Purse', description: 'of ' + name });
  await call('wallet create again', 'wallet', 'Create', { id, name: 'Purse' });
  await call('wallet credit', 'wallet', 'Credit', { id, amount: 10, reference: 'wages', visible: true });
  await call('wallet credit text', 'wallet', 'Credit', { id, amount: '9007199254740993', reference: 'luck' });
  await call('wallet debit', 'wallet', 'Debit', { id, amount: 3, reference: 'tea', visible: true });
  await call('wallet overdraw', 'wallet', 'Debit', { id, amount: '9223372036854775807', reference: 'boat' });
  await call('wallet no reference', 'wallet', 'Credit', { id, amount: 1 });
  await call('wallet wrong type', 'wallet', 'Credit', { id, amount: 'ten', reference: 'x' });
  await call('wallet balance', 'wallet', 'Balance', { id });
  await call('wallet transactions', 'wallet', 'Transactions', { id });
  await call('wallet list', 'wallet', 'List', {});
  await call('wallet delete', 'wallet', 'Delete', { id });
  await call('wallet balance of none', 'wallet', 'Balance', { id });

  await call('id types', 'id', 'Types', {});
  await call('id uuid', 'id', 'Generate', { type: 'uuid' });
  await call('id snowflake', 'id', 'Generate', { type: 'snowflake' });
  await call('id of no type', 'id', 'Generate', { type: 'fingerprint' });
  await call('password', 'password', 'Generate', { length: 20, lowercase: true, numbers: true });
  const otp = { id: `${name}@example.com` };
  const { code } = await call('otp generate', 'otp', 'Generate', { ...otp, size: 6, expiry: 600 }) || {};
  await call('otp wrong', 'otp', 'Validate', { ...otp, code: code === '000000' ? '111111' : '000000' });
  await call('otp right', 'otp', 'Validate', { ...otp, code });
  await call('otp used', 'otp', 'Validate', { ...otp, code });
  await call('time now', 'time', 'Now', { location: 'Vancouver' });
  await call('time zone', 'time', 'Zone', { location: 'London' });
  await call('time nowhere', 'time', 'Now', { location: 'Nowhere at all' });
  return seen;
}

/** Only a client that takes names can ask for what is not there. */
async function astray() {
  const client = byNames(token);
  return {
    'call, unknown endpoint': await outcome(client.call('helloworld', 'Cal', {})),
    'call, unknown service': await outcome(client.call('nothing', 'Call', {})),
    'small letter': await outcome(client.call('helloworld', 'call', { name: 'x' })),
    'long form': await outcome(client.call('helloworld', 'Helloworld/Call', { name: 'x' })),
    'stream, unknown endpoint': await whole(client.stream('helloworld', 'Strea', {})),
    'stream, unknown service': await whole(client.stream('nothing', 'Stream', {})),
    'stream of a call': await whole(client.stream('helloworld', 'Call', { name: 'x' })),
    'stream of a command': await whole(client.stream('cache', 'Set', { key: 'over a socket', value: 'v' })),
    'stream of nothing': await whole(client.stream('helloworld', 'Stream')),
    'stream, broken request': await whole(client.stream('helloworld', 'Stream', 'no object')),
  };
}

async function main() {
  const seen = {
    'm3o-node': await drive(byNames, 'm3o-node'),
    m3o: await drive(byServices, 'm3o'),
    astray: await astray(),
  };
  process.stdout.write(JSON.stringify(seen));
}

main();
