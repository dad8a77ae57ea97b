// What a plugin imports with `import Components`: settings, plans and operators.
@_exported import Operators
@_exported import Plans
@_exported import Settings
