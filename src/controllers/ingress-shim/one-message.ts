import { certManagerAnnotationPrefix } from '../../api/annotations.ts';

/** Below what an event can hold, for what is added to it. */
const mostBytes = 1_000;

/**
 * Several problems as the message of one event. Where they do not all fit, each of the last ones is named only, by the
 * annotation or the field that its sentence begins with.
 */
export function oneMessage(problems: readonly string[]): string {
  for (let inFull = problems.length; inFull > 0; inFull--) {
    const message = [...problems.slice(0, inFull), ...also(problems.slice(inFull))].join('; ');
    if (Buffer.byteLength(message) <= mostBytes) return message;
  }
  return problems.join('; ');
}

function also(problems: readonly string[]): string[] {
  if (problems.length === 0) return [];
  const subjects = problems.map(problem => problem.split(' ', 1)[0] ?? '');
  const isOurs = (subject: string): boolean => subject.startsWith(certManagerAnnotationPrefix);
  const under = subjects.filter(isOurs).map(subject => subject.slice(certManagerAnnotationPrefix.length));
  const others = subjects.filter(subject => !isOurs(subject));
  return [
    ...(under.length > 0
      ? [`also wrong are, after ${certManagerAnnotationPrefix}: ${under.join(', ')}`]
      : []),
    ...(others.length > 0 ? [`also wrong: ${others.join(', ')}`] : []),
  ];
}
