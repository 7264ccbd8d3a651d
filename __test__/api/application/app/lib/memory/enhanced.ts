export * from 'izzie-memory/memory/enhanced';
