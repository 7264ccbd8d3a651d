// Opens a folder and tells its role whenever that changes. Closes on the message 'close'.
import embedded from '../../../lib/embedded/index.cjs';

const opened = await embedded.openEmbedded({ folder: process.argv[2] });
process.send({ url: opened.databaseUrl });

let role;
const watching = setInterval(() => {
  if (opened.role !== role) process.send({ role: opened.role });
  role = opened.role;
}, 10);

process.on('message', async (message) => {
  if (message !== 'close') return;
  clearInterval(watching);
  await opened.close();
  process.send({ closed: true });
  process.disconnect();
});
