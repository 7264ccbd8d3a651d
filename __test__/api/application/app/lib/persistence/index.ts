export * from 'izzie-memory/persistence';
