import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

const words = ['kubeconfig', 'namespace', 'log-level', 'log-format', 'run', 'status'];

describe('nearest word', () => {
  it.each([
    ['kubeconfg', 'kubeconfig'],
    ['kube-config', 'kubeconfig'],
    ['KubeConfig', 'kubeconfig'],
    ['lgo-level', 'log-level'],
    ['log-fromat', 'log-format'],
    ['namespaces', 'namespace'],
    ['rnu', 'run'],
    ['stauts', 'status'],
    ['frobnicate', undefined],
    ['x', undefined],
  ])('takes %j for %j', (word, expected) => {
    expect(nearest(word, words)).toBe(expected);
  });
});
