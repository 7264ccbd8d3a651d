'use strict';

const { GraphService, graphService } = require('./services/graph.cjs');

module.exports = { GraphService, graphService };
