export * from 'izzie-memory/memory';
