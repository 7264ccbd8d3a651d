export * from 'izzie-memory/persistence/sync';
