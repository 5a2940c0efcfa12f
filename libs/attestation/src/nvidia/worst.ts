import { failed, passed, type Check } from '@usufruct/kernel';

/** One check for each name: the first that failed for a device, with its number, or that it passed for all. */
export const worstOf = (names: readonly string[], perDevice: readonly (readonly Check[])[]): Check[] =>
  names.map((name) => {
    const found = perDevice.map((checks) => checks.find((check) => check.name === name));
    const bad = found.findIndex((check) => check?.status !== 'passed');
    return bad < 0 ? passed(name) : failed(name, `device ${bad}: ${found[bad]?.detail ?? 'not judged'}`);
  });
