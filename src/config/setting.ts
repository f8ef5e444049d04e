import { z } from 'zod';

/** What help, flags, environment and file need to know about a setting beside the schema of its value. */
export interface SettingFacts {
  /** The heading it stands under in the help. */
  readonly group: string;
  /** What it does, for somebody who has never heard of it. */
  readonly help: string;
  /** What stands for the value in the help: `FILE`. Absent for a switch, which needs no value. */
  readonly value?: string;
  /** A second name of one letter: `o` for `-o`. */
  readonly short?: string;
  /** The value where none is given, in text, as somebody would write it. */
  readonly default?: string;
  /** What the default is, where it depends on something. */
  readonly defaultText?: string;
  /** Is not taken from the environment: what a command does to which objects is said each time. */
  readonly flagOnly?: boolean;
}

/** The facts of every setting, by its schema. */
export const settingFacts = z.registry<SettingFacts>();

/** A setting: a schema of its value, and what is to be known about it. */
export function setting<S extends z.ZodType>(schema: S, facts: SettingFacts): S {
  settingFacts.add(schema, facts);
  return schema;
}

/** One row of the table of settings. */
export interface Setting {
  /** The key in the result: `defaultIssuerName`. */
  readonly key: string;
  /** The flag without dashes, and the key in the configuration file: `default-issuer-name`. */
  readonly name: string;
  /** The environment variable: `POSTERN_DEFAULT_ISSUER_NAME`. */
  readonly variable: string;
  readonly facts: SettingFacts;
  readonly schema: z.ZodType;
  readonly isSwitch: boolean;
  /** Takes several values. */
  readonly isList: boolean;
}

const flagName = (key: string): string => key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);

/** The rows of a table, in its order. */
export function settingsOf(table: z.ZodObject): readonly Setting[] {
  return Object.entries(table.shape).map(([key, schema]) => {
    const facts = settingFacts.get(schema as z.ZodType);
    if (facts === undefined) throw new Error(`The setting ${key} has no facts.`);
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    const name = flagName(key);
    return {
      key,
      name,
      variable: `POSTERN_${name.replaceAll('-', '_').toUpperCase()}`,
      facts,
      schema: schema as z.ZodType,
      isSwitch: facts.value === undefined,
      isList: inner instanceof z.ZodArray,
    };
  });
}
