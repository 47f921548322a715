import { expect, it } from 'vitest';
import type { Declaration } from '../../src/core/listing.ts';
import { declare } from '../fakes/declaration.ts';
import { Stage, words } from './stage.ts';

const A = 'dir:///a';
const B = 'dir:///b';
const show = (stage: Stage, source: string, ...declarations: Declaration[]) => stage.play({ type: 'listed', source, declarations });
const inA = (name: string, text = 'a', touch = 1) => declare(name, {}, text, touch, '/a');
const inB = (name: string, text = 'a', touch = 1) => declare(name, {}, text, touch, '/b');

it('keeps instances running while a source is blind', () => {
  const stage = new Stage().serve(declare('shop'));
  expect(stage.play({ type: 'blind', source: 'dir:///v', reason: 'ENOENT' })).toEqual([]);
  expect(stage.phase()).toBe('ready');
  expect(stage.state.sources[0]?.blind?.reason).toBe('ENOENT');
  stage.list(declare('shop'));
  expect(stage.state.sources[0]?.blind).toBeNull();
  expect(stage.history.map((each) => each.event)).toContain('sighted');
});

it('tells of a blind source once', () => {
  const stage = new Stage();
  stage.play({ type: 'blind', source: 'dir:///v', reason: 'ENOENT' });
  stage.play({ type: 'blind', source: 'dir:///v', reason: 'ENOENT' });
  expect(stage.history.filter((each) => each.event === 'blind')).toHaveLength(1);
});

it('of two files with one name the first stays, and the second is invalid', () => {
  const stage = new Stage([A, B]);
  show(stage, B, inB('shop'));
  expect(stage.phase('shop', '/b')).toBe('starting');
  expect(words(show(stage, A, inA('shop')))).toEqual([]);
  expect(stage.phase('shop', '/a')).toBe('invalid');
  expect(stage.vassal('shop', '/a')?.failure).toMatchObject({ code: 'E_NAME_CLASH' });
});

it('seen for the first time together, the one of the earlier source wins', () => {
  const stage = new Stage([A, B]);
  show(stage, A, inA('shop'));
  show(stage, B, inB('shop'));
  expect([stage.phase('shop', '/a'), stage.phase('shop', '/b')]).toEqual(['starting', 'invalid']);
});

it('gives a name to the second file when the first one goes', () => {
  const stage = new Stage([A, B]);
  show(stage, A, inA('shop'));
  show(stage, B, inB('shop'));
  expect(words(show(stage, A))).toContain('launch shop#2');
  expect(stage.phase('shop', '/b')).toBe('starting');
});

it('touches of the second file do not disturb the first', () => {
  const stage = new Stage([A, B]);
  show(stage, A, inA('shop'));
  show(stage, B, inB('shop'));
  expect(show(stage, B, inB('shop', 'b', 2))).toEqual([]);
  expect(stage.phase('shop', '/b')).toBe('invalid');
});

it('one source says nothing about the files of another', () => {
  const stage = new Stage([A, B]);
  show(stage, A, inA('shop'));
  expect(show(stage, B)).toEqual([]);
  expect(stage.phase('shop', '/a')).toBe('starting');
});

it('the first part of a listing starts what is in it, and says nothing about the rest', () => {
  const stage = new Stage().serve(declare('shop'));
  expect(words(stage.play({ type: 'showing', source: 'dir:///v', declarations: [declare('blog')] }))).toEqual(['launch blog#2']);
  expect(stage.phase('shop')).toBe('ready');
  expect(words(stage.list(declare('blog')))).toEqual(['SIGTERM main shop#1']);
});
