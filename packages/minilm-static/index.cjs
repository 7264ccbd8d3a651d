'use strict';

const path = require('node:path');

/** A model in model2vec's format. Its files are named one by one, so that tools that copy what an app needs see them. */
module.exports = {
  folder: __dirname,
  files: [
    path.join(__dirname, 'config.json'),
    path.join(__dirname, 'model.safetensors'),
    path.join(__dirname, 'tokenizer.json'),
  ],
};
