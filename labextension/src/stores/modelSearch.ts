/** What is found in the list of models by what a person types. */
import { ModelList, ProviderInfo } from './modelChoice';
import { ModelInfo } from '../wire/protocol';

/** The models that a search leaves, by their provider, in the server's order. */
export function grouped(list: ModelList, search: string): [ProviderInfo | null, ModelInfo[]][] {
  const words = search.trim().toLowerCase();
  const fits = (model: ModelInfo): boolean =>
    !words || `${model.id} ${model.label}`.toLowerCase().includes(words);
  const groups: [ProviderInfo | null, ModelInfo[]][] = [];
  const others = list.models.filter(
    model => !list.providers.some(provider => provider.name === model.provider) && !model.local
  );
  if (others.some(fits)) {
    groups.push([null, others.filter(fits)]);
  }
  for (const provider of list.providers) {
    const models = list.models.filter(model => model.provider === provider.name);
    const found = models.filter(fits);
    const named = provider.label.toLowerCase().includes(words);
    if (provider.installed && (found.length > 0 || (models.length === 0 && named))) {
      groups.push([provider, found]);
    }
  }
  return groups;
}

/** The model that a person has typed: an id, when any may be used. */
export function typed(list: ModelList, text: string): string | null {
  const id = text.trim();
  return list.any_model && /^[^\s:]+:\S.*$/.test(id) ? id : null;
}
