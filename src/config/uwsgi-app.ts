/** Options of a uwsgi section that name an app of Python, Ruby or Perl. Source: uWSGI, plugins/python, plugins/rack, plugins/psgi. */
const APPS = '(?:module|wsgi|wsgi-file|file|wsgi-lite|mount|pump|web3|paste|ini-paste|ini-paste-logged|pecan|eval|django|rack|rails|psgi)';

/** How each format writes them. Nothing else of the section is read: it is uWSGI's own. */
const OPTION: Readonly<Record<string, RegExp>> = {
  ini: new RegExp(`^[ \\t]*${APPS}[ \\t]*=`, 'm'),
  yaml: new RegExp(`^[ \\t]+["']?${APPS}["']?[ \\t]*:`, 'm'),
  json: new RegExp(`"${APPS}"\\s*:`),
  xml: new RegExp(`<${APPS}>`),
};

/**
 * Whether a file with a uwsgi section names an app that uWSGI has to load: then it is a failure if it cannot. A file that has only routes, static files, daemons or
 * crons has none, and one whose app is named in an included file is not found out.
 */
export function loadsApp(text: string, extension: string): boolean {
  return (OPTION[extension === '.yml' ? 'yaml' : extension.slice(1)] ?? OPTION['ini'])?.test(text) === true;
}
