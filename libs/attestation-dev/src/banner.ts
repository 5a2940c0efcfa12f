/** Shown wherever evidence of the software TEE is made or accepted. */
export const DEV_BANNER =
  'DEV ONLY: the TEE is software. Its evidence proves nothing about hardware and its keys are files on this machine.';
