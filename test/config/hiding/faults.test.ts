import { expect, it } from 'vitest';
import { parseEnvironmentFile } from '../../../src/runner/environment-file.ts';
import { faultsOf } from '../context.ts';

it.each([
  ['a.ini', '[vassal]\ncommand = run\nenvironment.A = %(hunter2)'],
  ['a.ini', '[vassal]\ncommand = run\nenvironment.A = $(hunter2)'],
  ['a.ini', '[vassal]\ncommand = run\nenvironment = x hunter2=1'],
  ['a.ini', '[vassal]\ncommand = run\nenvironment = hunter2'],
  ['a.ini', '[vassal]\ncommand = run\nenvironment = A=hunter2%'.concat('y')],
  ['a.toml', '[vassal]\ncommand = "run"\nenvironment = { A = "%(hunter2)", B = ["hunter2"] }'],
  ['a.toml', '[vassal]\ncommand = "run"\nenvironment = { A = hunter2 }'],
  ['a.toml', '[vassal]\ncommand = "run"\nenvironment = { A = "hunter2 }'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: *hunter2'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: @hunter2'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: "\\qhunter2'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: hunter2: hunter2'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: [hunter2, {hunter2: 1}]'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: "x"hunter2'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: `hunter2'],
  ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: %hunter2\n    B: %hunter2'],
  ['a.json', '{"vassal":{"command":["run"],"environment":{"A":hunter2}}}'],
  ['a.json', '{"vassal":{"command":["run"],"environment":{"A":"hunter2'],
  ['a.xml', '<vassal><command>run</command><environment><A>hunter2</B></environment></vassal>'],
  ['a.xml', '<vassal><command>run</command><environment><A>&hunter2; & hunter2</A>hunter2</environment></vassal>'],
])('no fault of %s %j quotes a value of its environment', (file, text) => {
  const faults = JSON.stringify(faultsOf(`/v/${file}`, text));
  expect(faults).toContain('E_');
  expect(faults).not.toContain('hunter2');
});

it.each(['hunter2', 'export hunter2=1', 'hunter2/+==', "A='hunter2", 'A="hunter2', 'A=hunter2\\\nhunter2\nhunter2'])('no mistake of an environment file %j is quoted', (text) => {
  const file = parseEnvironmentFile(text);
  expect(file.mistakes).toHaveLength(1);
  expect(JSON.stringify(file.mistakes)).not.toContain('hunter2');
});
