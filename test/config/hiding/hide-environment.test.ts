import { describe, expect, it } from 'vitest';
import { hideEnvironment } from '../../../src/config/hiding/hide-environment.ts';

const SECRET = 'hunter2';

function shown(file: string, text: string): string {
  return hideEnvironment(`/v/${file}`, text, text).newer;
}

/** Blanks before what is hidden do not matter. */
function tight(text: string): string {
  return text.replaceAll(/[ \t]+…/g, '…');
}

describe('what is shown of an environment', () => {
  it.each([
    ['a.ini', '[vassal]\ncommand = run\nenvironment.PASSWORD = hunter2\nworkers = 2\n', '[vassal]\ncommand = run\nenvironment.PASSWORD = …hidden\nworkers = 2\n'],
    ['a.ini', '[vassal]\nenvironment = PASSWORD=hunter2=x\n', '[vassal]\nenvironment = PASSWORD=…hidden\n'],
    ['a.ini', '[uwsgi]\nenv = PASSWORD=hunter2\nhttp = :80\n', '[uwsgi]\nenv = PASSWORD=…hidden\nhttp = :80\n'],
    ['a.ini', '[vassal]\n;environment.OLD = hunter2\n# environment = OLD=hunter2\nx', '[vassal]\n;environment.OLD = …hidden\n# environment = OLD=…hidden\nx'],
    ['a.ini', '[vassal\nenvironment.P = hunter2\r\ny', '[vassal\nenvironment.P = …hidden\ny'],
    ['a.ini', '[vassal]\nenvironment.P = x\rhunter2\ny', '[vassal]\nenvironment.P = …hidden\ny'],
    ['a.toml', '[vassal]\n# environment = {\r A = "hunter2" }\n', '[vassal]\n# environment …hidden\n'],
    ['a.toml', '[vassal]\nenvironment = { A = "hunter2", B = 1 } # not hunter1\nworkers = 2\n', '[vassal]\nenvironment = { A = …hidden, B = …hidden } #…hidden\nworkers = 2\n'],
    ['a.toml', '[vassal]\nenvironment.A = "hunter2"\n"environm\\u0065nt".B = 1\n', '[vassal]\nenvironment.A = …hidden\n"environm\\u0065nt".B = …hidden\n'],
    ['a.toml', '[vassal.environment]\nA = """\nhunter2\nhunter3\n"""\n# B = "hunter2"\n[vassal.log]\nkeep = 1 # file\n', '[vassal.environment]\nA = …hidden\n\n\n\n#…hidden\n[vassal.log]\nkeep = 1 # file\n'],
    ['a.toml', '[vassal]\nenvironment = ["A=hunter2", "hunter2"]\n', '[vassal]\nenvironment = ["A=…hidden, …hidden]\n'],
    ['a.toml', '[vassal]\n# environment = { A = "hunter2" }\n#   B = "hunter2"\nworkers = 2 # two\n', '[vassal]\n#…hidden\n#…hidden\nworkers = 2 # two\n'],
    ['a.toml', '[vassal]\nenviroment = { A = "hunter2" }\n', '[vassal]\nenviroment = { A = …hidden }\n'],
    ['a.yaml', 'vassal:\n  command: run\n  environment:\n    A: hunter2 # was hunter1\n    # B: hunter2\n    "C#d": |\n      hunter2\n      hunter3\n  workers: 2 # two\n', 'vassal:\n  command: run\n  environment:\n    A: …hidden #…hidden\n    #…hidden\n    "C#d": …hidden\n\n\n  workers: 2 # two\n'],
    ['a.yml', 'vassal:\n  environment: [A=hunter2, "B=hunter2"]\n', 'vassal:\n  environment: [A=…hidden, "B=…hidden]\n'],
    ['a.yaml', 'x: &e { A: hunter2 }\ny: &s hunter2\nvassal:\n  environment: { <<: *e, B: *s }\n', 'x: &e { A: …hidden }\ny: &s …hidden\nvassal:\n  environment: { <<: *e, B: *s }\n'],
    ['a.yaml', 'vassal:\n  # environment:\n  #   A: hunter2\n  workers: 2\n', 'vassal:\n  #…hidden\n  #…hidden\n  workers: 2\n'],
    ['a.json', '{\n\t"vassal": {\n\t\t"environment": { "A": "hunter2", "B": "a\\"hunter2" },\n\t\t"workers": 2\n\t}\n}\n', '{\n\t"vassal": {\n\t\t"environment": { "A": …hidden, "B": …hidden },\n\t\t"workers": 2\n\t}\n}\n'],
    ['a.json', '{"vassal":{"environment":["A=hunter2"],"workers":2}}', '{"vassal":{"environment":["A=…hidden],"workers":2}}'],
    ['a.xml', '<vassal>\n<environment><A>hunter2</A><!-- hunter2 --><B><![CDATA[hunter2]]></B></environment>\n<workers>2</workers></vassal>\n', '<vassal>\n<environment><A>…hidden</A><!--…hidden<B>…hidden</B></environment>\n<workers>2</workers></vassal>\n'],
    ['a.xml', '<vassal environment="A=hunter2" user="me"><environment A="hunter2>"/><!-- <environment>hunter2 --></vassal>', '<vassal environment=…hidden user="me"><environment A=…hidden/><!--…hidden</vassal>'],
    ['a.xml', '<uwsgi><env>A=hunter2</env><http>:80</http></uwsgi>', '<uwsgi><env>A=…hidden</env><http>:80</http></uwsgi>'],
  ])('in %s %j is %j', (file, text, expected) => {
    expect(tight(shown(file, text))).toBe(tight(expected));
    expect(expected).not.toContain(SECRET);
  });

  it.each([
    ['a.toml', '[vassal]\nuser = "me"\nenvironment = { A = "hunter2"\nB = "hunter2\n', '[vassal]\nuser = "me"\nenvironment …hidden\n\n'],
    ['a.yaml', 'vassal:\n  user: me\n  environment: {A: hunter2\n  x: [\n', 'vassal:\n  user: me\n  environment…hidden\n\n'],
    ['a.json', '{"vassal": {"user": "me", "environment": {"A": "hunter2}}', '{"vassal": {"user": "me", "environment…hidden'],
    ['a.xml', '<vassal><user>me</user><environment><A>hunter2</B> hunter2', '<vassal><user>me</user><environment><A>…hidden</B>…hidden'],
    ['a.yaml', `vassal:\n  environment: { A: hunter2 }\n  x: ${'y'.repeat(300_000)}\n`, 'vassal:\n  environment…hidden\n\n'],
    ['a.unknown', 'environment = hunter2', 'environment …hidden'],
  ])('in a broken %s ends with the first mention of one', (file, text, expected) => {
    expect(tight(shown(file, text))).toBe(tight(expected));
    expect(shown(file, text)).not.toContain(SECRET);
  });

  it.each([
    ['a.ini', '[vassal]\ncommand = run\nenvironment-file = /etc/a.env\n; a remark\n'],
    ['a.toml', '[vassal]\ncommand = "run"\nenvironment-file = "/etc/a.env"\n# a remark\n[vassal.log]\nkeep = 1\n'],
    ['a.yaml', '# a remark\nvassal:\n  command: run # so\n  environment-file: /etc/a.env\n'],
    ['a.json', '{"vassal":{"command":["run"],"environment-file":"/etc/a.env"}}'],
    ['a.xml', '<vassal><command>run</command><!-- a remark --><environment-file>/etc/a.env</environment-file></vassal>'],
    ['a.toml', ''],
    ['a.xml', '<'],
  ])('is all, where there is none: %s %j', (file, text) => {
    expect(shown(file, text)).toBe(text);
  });
});

describe('what has changed', () => {
  it.each([
    ['a.toml', '[vassal.environment]\nA = "one"\nB = "x"\n', '[vassal.environment]\nA = "two"\nB = "x"\nC = "x"\n', '[vassal.environment]\nA = …hidden, changed\nB = …hidden\nC = …hidden\n'],
    ['a.yaml', 'vassal:\n  environment:\n    A: one\n    B: x\n', 'vassal:\n  environment:\n    B: x\n    A: two\n', 'vassal:\n  environment:\n    B: …hidden\n    A: …hidden, changed\n'],
    ['a.ini', '[vassal]\nenvironment = A=one\nenvironment = B=x\n', '[vassal]\nenvironment = A=two\nenvironment = B=x\n', '[vassal]\nenvironment = A=…hidden, changed\nenvironment = B=…hidden\n'],
    ['a.json', '{"vassal":{"environment":{"A":"one"}}}', '{"vassal":{"environment":{"A":"two"}}}', '{"vassal":{"environment":{"A":…hidden, changed}}}'],
    ['a.xml', '<vassal><environment><A>one</A></environment></vassal>', '<vassal><environment><A>two</A></environment></vassal>', '<vassal><environment><A>…hidden, changed</A></environment></vassal>'],
  ])('is marked in %s', (file, before, after, expected) => {
    expect(hideEnvironment(`/v/${file}`, before, after).newer).toBe(expected);
  });
});
