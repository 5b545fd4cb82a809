#!/usr/bin/env node
// One CommonJS file: see scripts/build-bundle.mjs.
require('../dist/bundle/sidestep-agent.cjs');
