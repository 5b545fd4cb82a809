#!/usr/bin/env node
import '../dist/bin/sidestep-agent.js';
