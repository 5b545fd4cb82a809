import { formatQuantity, matchesSelector, parseGoRegexp, parseQuantity, selectorsOverlap } from '@sidestep/core';

const web = { matchLabels: { tier: 'web' } };
const prod = { matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }] };

console.log(matchesSelector(web, { tier: 'web', env: 'dev' }));
console.log(selectorsOverlap(web, prod));
console.log(selectorsOverlap(prod, { matchLabels: { env: 'dev' } }));

console.log(formatQuantity(parseQuantity('0.1Mi')));
console.log(parseGoRegexp('^mesh-[0-9]+$').test('mesh-12'));
