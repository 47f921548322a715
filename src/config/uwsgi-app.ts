/** Options of a uwsgi section that name an app of Python, Ruby or Perl. Source: uWSGI, plugins/python, plugins/rack, plugins/psgi. */
const APPS = '(?:module|wsgi|wsgi-file|file|wsgi-lite|mount|pump|web3|paste|ini-paste|ini-paste-logged|pecan|eval|django|rack|rails|psgi)';

type Written = Readonly<Record<string, RegExp>>;

/** How each format writes an option. Nothing else of the section is read: it is uWSGI's own. */
function written(names: string): Written {
  return {
    ini: new RegExp(`^[ \\t]*${names}[ \\t]*=`, 'm'),
    yaml: new RegExp(`^[ \\t]+["']?${names}["']?[ \\t]*:`, 'm'),
    json: new RegExp(`"${names}"\\s*:`),
    xml: new RegExp(`<${names}>`),
  };
}

const APP: Written = written(APPS);
const EMPEROR: Written = written('emperor');

/**
 * Whether a file with a uwsgi section names an app that uWSGI has to load: then it is a failure if it cannot. A file that has only routes, static files, daemons or
 * crons has none, and one whose app is named in an included file is not found out.
 */
export function loadsApp(text: string, extension: string): boolean {
  return has(text, extension, APP);
}

/** Whether a file with a uwsgi section is that of a sub-Emperor: it says that it is loyal, and never that it accepts. Source: uWSGI core/emperor.c, emperor_loop. */
export function governsVassals(text: string, extension: string): boolean {
  return has(text, extension, EMPEROR);
}

function has(text: string, extension: string, option: Written): boolean {
  return (option[extension === '.yml' ? 'yaml' : extension.slice(1)] ?? option['ini'])?.test(text) === true;
}
