// esbuild declares what stands at the top of a bundle with `var`, constants too. The engine folds the value of a
// `const` into the code that it compiles, the addresses of typed arrays included, but that of a `var` it loads and
// checks at every use: recording a span from a bundle took a fifth longer than from the sources.
import ts from 'typescript';

/**
 * Makes constants of the top-level variables of a module that nothing assigns again. `var x = ` becomes `const x=`
 * and `var { ` becomes `const{`, which are as long, so that a source map stays right.
 */
export function withConstants(code: string): string {
  const source = ts.createSourceFile('bundle.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const assigned = assignedNames(source);
  let result = '';
  let end = 0;
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    const { declarations, flags } = statement.declarationList;
    const [declaration] = declarations;
    if (declaration?.initializer === undefined || declarations.length > 1) continue;
    if ((flags & ts.NodeFlags.BlockScoped) !== 0) continue;
    if (namesOf(declaration.name).some((name) => assigned.has(name))) continue;
    const start = statement.getStart(source);
    const match = /^var (?:([\w$]+) = |\{ ?)/.exec(code.slice(start));
    if (match === null) continue;
    const [before, name] = match;
    result += code.slice(end, start) + (name === undefined ? 'const{' : `const ${name}=`);
    end = start + before.length;
  }
  return result + code.slice(end);
}

function namesOf(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesOf(element.name) : []));
}

/** The names that are assigned anywhere, in whatever scope: rather too many than one too few. */
function assignedNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const addTargets = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    // A member of something is no variable, and neither is its index.
    else if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) {
      ts.forEachChild(node, addTargets);
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) addTargets(node.left);
    else if (isIncrement(node)) addTargets(node.operand);
    else if (ts.isForInStatement(node) || ts.isForOfStatement(node)) addTargets(node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

function isAssignment(operator: ts.SyntaxKind): boolean {
  return operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment;
}

function isIncrement(node: ts.Node): node is ts.PrefixUnaryExpression | ts.PostfixUnaryExpression {
  if (!ts.isPrefixUnaryExpression(node) && !ts.isPostfixUnaryExpression(node)) return false;
  return node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken;
}
