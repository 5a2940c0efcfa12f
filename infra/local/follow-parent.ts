/** Loaded before every part of the local system: when the launcher is gone, by whatever death, its parts stop too. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Listening alone must not keep a part alive that has nothing left to do.
process.channel?.unref();
