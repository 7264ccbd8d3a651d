export * from 'izzie-memory/persistence/types';
